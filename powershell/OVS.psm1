# OVS-port-names: the name by which ovs-vsctl knows the virtual NIC (VIF) of a virtual machine.
#
# Hyper-V adapters carry theirs in the ElementName of the connection's settings (Msvm_EthernetPortAllocationSettingData,
# namespace root/virtualization/v2). VIFs of this suite's own switch carry theirs in ovs-datapath-svc, which ovs-appctl
# asks and tells; ovs-appctl has to be on PATH.
#
# Usage: Import-Module .\OVS.psm1; Get-Help Set-VMNetworkAdapterOVSPort -Full

Set-StrictMode -Version 3.0

$Namespace = 'root/virtualization/v2'
# A line of `ovs-appctl -t ovs-datapath-svc switch/show` about a declared port.
$VifLine = '^  (?<Vif>.+): OVS-port-name "(?<OVSPortName>.*)", (?<State>[a-z-]+)(, in use)?$'

function Invoke-Switch {
    # Runs a command of ovs-datapath-svc and gives its lines; an error of it is one of ours.
    param([Parameter(Mandatory)] [string[]] $Command)
    $output = & ovs-appctl -t ovs-datapath-svc @Command 2>&1
    if ($LASTEXITCODE -ne 0) { throw ($output -join "`n") }
    $output
}

function Get-Vif {
    Invoke-Switch 'switch/show' | ForEach-Object {
        if ($_ -match $VifLine) {
            [pscustomobject]@{ Vif = $Matches.Vif; OVSPortName = $Matches.OVSPortName; State = $Matches.State }
        }
    }
}

function Get-ConnectionSetting {
    # The settings of an adapter's connection to a Hyper-V switch: their InstanceID begins with the adapter's.
    param([Parameter(Mandatory)] $VMNetworkAdapter)
    $setting = Get-CimInstance -Namespace $Namespace -ClassName Msvm_EthernetPortAllocationSettingData |
        Where-Object { $_.InstanceID.StartsWith($VMNetworkAdapter.Id, [StringComparison]::OrdinalIgnoreCase) }
    if (@($setting).Count -ne 1) { throw "$($VMNetworkAdapter.Name): no settings of a connection, or several" }
    $setting
}

function Set-ConnectionName {
    param([Parameter(Mandatory)] $VMNetworkAdapter, [Parameter(Mandatory)] [string] $Name)
    $setting = Get-ConnectionSetting $VMNetworkAdapter
    $setting.ElementName = $Name
    $serializer = [Microsoft.Management.Infrastructure.Serialization.CimSerializer]::Create()
    $bytes = $serializer.Serialize($setting, [Microsoft.Management.Infrastructure.Serialization.InstanceSerializationOptions]::None)
    $service = Get-CimInstance -Namespace $Namespace -ClassName Msvm_VirtualSystemManagementService
    $result = Invoke-CimMethod -InputObject $service -MethodName ModifyResourceSettings -Arguments @{
        ResourceSettings = [string[]] @([Text.Encoding]::Unicode.GetString($bytes))
    }
    # 0: done; 4096: a job has begun.
    if ($result.ReturnValue -notin 0, 4096) { throw "$($VMNetworkAdapter.Name): ModifyResourceSettings: $($result.ReturnValue)" }
}

function Assert-OVSPortNameFree {
    param([Parameter(Mandatory)] [string] $OVSPortName)
    if ($null -ne (Get-VMNetworkAdapterByOVSPort -OVSPortName $OVSPortName)) {
        throw "${OVSPortName}: another adapter has this OVS-port-name"
    }
}

function Set-VMNetworkAdapterOVSPort {
    <#
    .SYNOPSIS
    Gives a virtual NIC its OVS-port-name.
    .DESCRIPTION
    The name is that of the port which ovs-vsctl add-port makes for the NIC. A Hyper-V adapter has to be disconnected
    from its switch while it gets its name; a VIF of ovs-datapath-svc must not be in use as a port.
    .PARAMETER VMNetworkAdapter
    A Hyper-V adapter, as Get-VMNetworkAdapter gives it; also from the pipeline.
    .PARAMETER Vif
    A VIF of ovs-datapath-svc, by the name with which it was declared (switch/port-create).
    .PARAMETER OVSPortName
    The name: one that no other NIC has.
    .EXAMPLE
    $vnic = Get-VMNetworkAdapter VM1
    Disconnect-VMNetworkAdapter -VMNetworkAdapter $vnic[0]
    $vnic[0] | Set-VMNetworkAdapterOVSPort -OVSPortName ovs-port-a
    Connect-VMNetworkAdapter -VMNetworkAdapter $vnic[0] -SwitchName OVS-Extended-Switch
    .EXAMPLE
    Set-VMNetworkAdapterOVSPort -Vif vm1-nic0 -OVSPortName ovs-port-a
    #>
    [CmdletBinding(DefaultParameterSetName = 'HyperV')]
    param(
        [Parameter(Mandatory, ValueFromPipeline, ParameterSetName = 'HyperV')] $VMNetworkAdapter,
        [Parameter(Mandatory, ParameterSetName = 'Switch')] [string] $Vif,
        [Parameter(Mandatory)] [string] $OVSPortName
    )
    process {
        if ($PSCmdlet.ParameterSetName -eq 'Switch') {
            $null = Invoke-Switch 'switch/port-rename', $Vif, $OVSPortName
            return
        }
        Assert-OVSPortNameFree $OVSPortName
        Set-ConnectionName $VMNetworkAdapter $OVSPortName
    }
}

function Set-VMNetworkAdapterOVSPortDirect {
    <#
    .SYNOPSIS
    Gives an adapter of a Hyper-V machine its OVS-port-name in one step: disconnects it, names it, connects it again.
    .PARAMETER VMName
    The machine.
    .PARAMETER AdapterIndex
    Which of its adapters; 0, the first, when absent.
    .PARAMETER OVSPortName
    The name: one that no other NIC has.
    .EXAMPLE
    Set-VMNetworkAdapterOVSPortDirect -VMName VM1 -OVSPortName ovs-port-a
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)] [string] $VMName,
        [int] $AdapterIndex = 0,
        [Parameter(Mandatory)] [string] $OVSPortName
    )
    $adapter = @(Get-VMNetworkAdapter -VMName $VMName)[$AdapterIndex]
    if ($null -eq $adapter) { throw "${VMName}: no adapter $AdapterIndex" }
    $switchName = $adapter.SwitchName
    if ($switchName) { Disconnect-VMNetworkAdapter -VMNetworkAdapter $adapter }
    try { Set-VMNetworkAdapterOVSPort -VMNetworkAdapter $adapter -OVSPortName $OVSPortName }
    finally { if ($switchName) { Connect-VMNetworkAdapter -VMNetworkAdapter $adapter -SwitchName $switchName } }
}

function Get-VMNetworkAdapterOVSPort {
    <#
    .SYNOPSIS
    Gives the OVS-port-name of a virtual NIC.
    .PARAMETER VMNetworkAdapter
    A Hyper-V adapter, as Get-VMNetworkAdapter gives it; also from the pipeline.
    .PARAMETER Vif
    A VIF of ovs-datapath-svc, by the name with which it was declared.
    .EXAMPLE
    Get-VMNetworkAdapter VM1 | Get-VMNetworkAdapterOVSPort
    .EXAMPLE
    Get-VMNetworkAdapterOVSPort -Vif vm1-nic0
    #>
    [CmdletBinding(DefaultParameterSetName = 'HyperV')]
    param(
        [Parameter(Mandatory, ValueFromPipeline, ParameterSetName = 'HyperV')] $VMNetworkAdapter,
        [Parameter(Mandatory, ParameterSetName = 'Switch')] [string] $Vif
    )
    process {
        if ($PSCmdlet.ParameterSetName -eq 'HyperV') { return (Get-ConnectionSetting $VMNetworkAdapter).ElementName }
        $found = Get-Vif | Where-Object Vif -EQ $Vif
        if ($null -eq $found) { throw "${Vif}: no such VIF" }
        $found.OVSPortName
    }
}

function Get-VMNetworkAdapterByOVSPort {
    <#
    .SYNOPSIS
    Gives the virtual NIC that has an OVS-port-name: a Hyper-V adapter or, with -Switch, a VIF of ovs-datapath-svc.
    Nothing when there is none.
    .PARAMETER OVSPortName
    The name.
    .PARAMETER Switch
    Look among the VIFs of ovs-datapath-svc.
    .EXAMPLE
    Get-VMNetworkAdapterByOVSPort -OVSPortName ovs-port-a
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string] $OVSPortName, [switch] $Switch)
    if ($Switch) { return Get-Vif | Where-Object OVSPortName -EQ $OVSPortName }
    $setting = Get-CimInstance -Namespace $Namespace -ClassName Msvm_EthernetPortAllocationSettingData |
        Where-Object ElementName -EQ $OVSPortName
    if ($null -eq $setting) { return }
    Get-VMNetworkAdapter -VMName * | Where-Object {
        $id = $_.Id
        @($setting).InstanceID.Where({ $_.StartsWith($id, [StringComparison]::OrdinalIgnoreCase) }).Count -gt 0
    }
}

function Get-VMByOVSPort {
    <#
    .SYNOPSIS
    Gives the Hyper-V machine whose adapter has an OVS-port-name. Nothing when there is none.
    .PARAMETER OVSPortName
    The name.
    .EXAMPLE
    Get-VMByOVSPort -OVSPortName ovs-port-a
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string] $OVSPortName)
    $adapter = Get-VMNetworkAdapterByOVSPort -OVSPortName $OVSPortName
    if ($null -ne $adapter) { Get-VM -Name @($adapter)[0].VMName }
}

Export-ModuleMember -Function Set-VMNetworkAdapterOVSPort, Set-VMNetworkAdapterOVSPortDirect,
    Get-VMNetworkAdapterOVSPort, Get-VMNetworkAdapterByOVSPort, Get-VMByOVSPort
